# Intel and AMD disagree on the length of this jump.
f:	.byte 0x66, 0xe9, 0, 0, 0, 0, 0xc3

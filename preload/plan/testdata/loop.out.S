	nop
0:	nop
	loop 1f
	jmp 2f
1:	.byte 0xe9
	.long 0b - . - 4
2:	nop
	.byte 0xe9
	.long f + 5 - . - 4

# The jump comes after bytes that are no instruction: found all the same.
f:	xor %eax, %eax
1:	inc %eax
	inc %edx
	.byte 0x06
	jmp 1b

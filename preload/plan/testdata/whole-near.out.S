	xor %eax, %eax
1:	inc %eax
	inc %edx
	cmp %edi, %eax
	.byte 0x0f, 0x85
	.long 1b - . - 4
	ret

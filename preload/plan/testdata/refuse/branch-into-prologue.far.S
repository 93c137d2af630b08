f:	xor %eax, %eax
1:	inc %eax
	inc %edx
	.fill 200, 1, 0x90
	cmp %edi, %eax
	jne 1b
	ret

f:	xor %eax, %eax
1:	inc %eax
	inc %edx
	cmp %edi, %eax
	jne 1b
	ret

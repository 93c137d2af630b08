# next 3
f:	xor %eax, %eax
	nop
	mov %edi, %eax
	ret

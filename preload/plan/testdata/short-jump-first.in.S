# A short jump over three more bytes, which are displaced too.
f:	jmp 1f
	xor %edi, %edi
	nop
1:	mov %edi, %eax
	ret

f:	jrcxz 1f
	mov (%rdi), %eax
1:	ret
	nop

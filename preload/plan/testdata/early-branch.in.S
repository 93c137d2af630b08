# A short branch out of the prologue becomes near.
f:	test %rdi, %rdi
	je 1f
	mov (%rdi), %eax
	ret
1:	xor %eax, %eax
	ret

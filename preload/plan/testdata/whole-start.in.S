# A loop to its own start: all of it moves.
f:	movzbl (%rdi), %eax
	inc %rdi
	test %eax, %eax
	jne f
	ret

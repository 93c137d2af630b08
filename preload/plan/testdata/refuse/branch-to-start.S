# Each turn would run through the thunk, one frame deeper.
f:	movzbl (%rdi), %eax
	inc %rdi
	test %eax, %eax
	jne f
	ret

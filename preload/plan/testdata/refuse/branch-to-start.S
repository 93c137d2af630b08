# Each turn would run through the thunk. It calls, so it cannot move as a whole.
f:	movzbl (%rdi), %eax
	inc %rdi
	call elsewhere
	test %eax, %eax
	jne f
	ret

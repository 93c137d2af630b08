# The trampoline runs on the original's stack.
f:	mov 8(%rsp), %rax
	ret

	mov 8(%rsp), %rax
	jmp f+5

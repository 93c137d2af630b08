	mov %rdi, %rax
	xor %ecx, %ecx
	jmp f+5

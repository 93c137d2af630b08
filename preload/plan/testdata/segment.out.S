	mov %fs:0x28, %rax
	jmp f+9

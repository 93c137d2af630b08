	test %rdi, %rdi
	je f+8
	jmp f+5

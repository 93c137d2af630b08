	push %rbx
	push 1f(%rip)
	jmp *data(%rip)
1:	.quad f+7

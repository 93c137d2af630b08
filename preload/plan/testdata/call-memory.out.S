	push %rbx
	push 1f(%rip)
	jmp *0x200(%rax)
1:	.quad f+7

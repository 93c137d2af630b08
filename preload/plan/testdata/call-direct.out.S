	sub $8, %rsp
	push 1f(%rip)
	jmp elsewhere
1:	.quad f+9

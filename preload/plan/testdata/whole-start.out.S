1:	movzbl (%rdi), %eax
	inc %rdi
	test %eax, %eax
	.byte 0x0f, 0x85
	.long 1b - . - 4
	ret

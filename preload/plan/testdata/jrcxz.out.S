	jrcxz 1f
	jmp 2f
1:	.byte 0xe9
	.long 3f - . - 4
2:	mov (%rdi), %eax
3:	ret

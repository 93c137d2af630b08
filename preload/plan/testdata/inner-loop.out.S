1:	dec %edi
	.byte 0x0f, 0x85 # jne 1b, the near form
	.long 1b - . - 4
	xor %eax, %eax
	jmp f+6

	.byte 0x0f, 0x85, 1, 0, 0, 0 # jne 1f, the near form
	nop
	nop
	xor %eax, %eax
	jmp f+6

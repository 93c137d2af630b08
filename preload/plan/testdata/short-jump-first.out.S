	jmp f+5
	xor %edi, %edi
	nop
	jmp f+5

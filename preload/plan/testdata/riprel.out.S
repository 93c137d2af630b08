	cmpb $1, data(%rip)
	jmp f+7

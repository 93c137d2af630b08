	endbr64
	sub $0x18, %rsp
	jmp f+8

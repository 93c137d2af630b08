# size 1
f:	ret
	int3
	int3
	int3
	int3
	int3

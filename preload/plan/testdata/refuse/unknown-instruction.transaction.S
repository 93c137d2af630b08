f:	xbegin 1f
	xend
1:	ret

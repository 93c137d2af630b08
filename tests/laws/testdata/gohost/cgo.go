//go:build cgo

package main

/*
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
extern int fromC(int);
static int opens(const char *path, int n)
{
	int failed = 0;
	for (int i = 0; i < n; i++) {
		int fd = open(path, O_RDONLY);
		if (fd < 0)
			failed++;
		else
			close(fd);
		if (i % 100 == 0 && fromC(i) != i + 1)
			abort();
	}
	return failed;
}
*/
import "C"

import (
	"fmt"
	"runtime"
	"sync"
	"unsafe"
)

//export fromC
func fromC(n C.int) C.int {
	if n == 500 {
		runtime.GC()
	}
	return n + 1
}

func init() {
	throughC = func() {
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				path := C.CString([]string{"/etc/passwd", "/nonexistent"}[i%2])
				defer C.free(unsafe.Pointer(path))
				if got, want := int(C.opens(path, 1000)), i%2*1000; got != want {
					fmt.Println("opens failed", got, "times")
				}
			})
		}
		wg.Wait()
	}
}

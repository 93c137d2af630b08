//go:build cgo

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
)

func init() { server = serve }

func serve() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	// All is read first: an HTTP/1 server may stop reading once it answers.
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		check(err)
		w.Write(b)
	})}
	go s.Serve(l)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				r, err := http.Post("http://"+l.Addr().String(), "text/plain", io.LimitReader(zeros{}, 10000))
				check(err)
				n, err := io.Copy(io.Discard, r.Body)
				check(err)
				r.Body.Close()
				if n != 10000 {
					fmt.Println("short answer", n)
				}
			}
		})
	}
	wg.Wait()
	http.DefaultClient.CloseIdleConnections()
	check(s.Shutdown(context.Background()))
	fmt.Println("served")
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

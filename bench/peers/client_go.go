// SPDX-License-Identifier: MIT

// HTTP client on Go's net/http: client_go PORT PATH COUNT CONNECTIONS.
package main

import (
	"bench/report"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
)

func main() {
	url := fmt.Sprintf("http://127.0.0.1:%s%s", os.Args[1], os.Args[2])
	total, _ := strconv.Atoi(os.Args[3])
	conns, _ := strconv.Atoi(os.Args[4])
	client := &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: conns, MaxIdleConns: conns, DisableCompression: true}}
	todo := make(chan struct{}, total)
	for i := 0; i < total; i++ {
		todo <- struct{}{}
	}
	close(todo)

	var bytes, done int64
	var all sync.WaitGroup
	span := report.Start()
	for i := 0; i < conns; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for range todo {
				r, err := client.Get(url)
				if err != nil || r.StatusCode != 200 {
					log.Fatal(err, r)
				}
				n, err := io.Copy(io.Discard, r.Body)
				if err != nil {
					log.Fatal(err)
				}
				r.Body.Close()
				atomic.AddInt64(&bytes, n)
				atomic.AddInt64(&done, 1)
			}
		}()
	}
	all.Wait()
	report.Finish(span, map[string]int64{"done": done, "bytes": bytes})
}

// SPDX-License-Identifier: MIT

// Echo on Go's net package: one goroutine per connection.
package main

import (
	"log"
	"net"
	"os"
)

func echo(peer net.Conn) {
	defer peer.Close()
	buf := make([]byte, 4096)
	for {
		n, err := peer.Read(buf)
		if err != nil {
			return
		}
		if _, err = peer.Write(buf[:n]); err != nil {
			return
		}
	}
}

func main() {
	door, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	for {
		peer, err := door.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go echo(peer)
	}
}

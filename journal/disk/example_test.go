package disk_test

import (
	"errors"
	"fmt"
	"io"
	"log"

	"github.com/tocsin-noc/tocsin/journal"
	"github.com/tocsin-noc/tocsin/journal/disk"
	"github.com/tocsin-noc/tocsin/journal/vfs"
)

func Example() {
	l, err := disk.Open("/var/lib/tocsin/journal", disk.Options{FS: vfs.NewMem()})
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()

	recs := []journal.Record{{Seq: 1, At: 1000, Payload: []byte("one")}, {Seq: 2, At: 990, Payload: []byte("two")}}
	if _, err := l.Prepare(6); err != nil {
		log.Fatal(err)
	}
	if err := l.Append(recs); err != nil {
		log.Fatal(err)
	}

	r := l.Reader(l.First())
	defer r.Close()
	for {
		rec, segment, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(segment, rec.Seq, rec.At, string(rec.Payload))
	}
	// Output:
	// 1 1 1000 one
	// 1 2 1000 two
}

package disk

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkAppendOfRecordsOf300Bytes measures one commit on the disk under
// the temporary folder, per record: time, and CPU of the whole process.
func BenchmarkAppendOfRecordsOf300Bytes(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("%d_per_commit", n), func(b *testing.B) {
			l, err := Open(b.TempDir(), Options{})
			require.NoError(b, err)
			defer l.Close()
			recs := batch(1, n, 300)
			b.ReportAllocs()
			cpu := processCPU(b)
			for b.Loop() {
				next := l.Last() + 1
				for i := range recs {
					recs[i].Seq = next + uint64(i)
				}
				if err := write(l, recs); err != nil {
					b.Fatal(err)
				}
			}
			total := float64(b.N * n)
			b.ReportMetric(float64(b.Elapsed())/total, "ns/record")
			b.ReportMetric(float64(processCPU(b)-cpu)/total, "cpu-ns/record")
		})
	}
}

// BenchmarkEncodingOf1000Records measures Append without the disk.
func BenchmarkEncodingOf1000Records(b *testing.B) {
	l, err := Open(b.TempDir(), Options{})
	require.NoError(b, err)
	defer l.Close()
	recs := batch(1, 1000, 300)
	for b.Loop() {
		_, _, err := l.encodeLocked(recs)
		require.NoError(b, err)
	}
	b.ReportMetric(float64(b.Elapsed())/float64(b.N*len(recs)), "ns/record")
}

func BenchmarkReadingRecordsOf300Bytes(b *testing.B) {
	l, err := Open(b.TempDir(), Options{})
	require.NoError(b, err)
	defer l.Close()
	for l.Last() < 100_000 {
		require.NoError(b, write(l, batch(l.Last()+1, 1000, 300)))
	}
	for b.Loop() {
		r := l.Reader(1)
		for range 100_000 {
			if _, _, err := r.Next(); err != nil {
				b.Fatal(err)
			}
		}
		require.NoError(b, r.Close())
	}
	b.ReportMetric(float64(b.Elapsed())/float64(b.N*100_000), "ns/record")
}

func processCPU(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

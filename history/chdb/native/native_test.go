package native

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	chproto "github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/proto"
	"github.com/stretchr/testify/require"
)

func TestTheHelloIsReadByTheDriverAtEveryRevision(t *testing.T) {
	for _, revision := range []uint64{0, 1, 54400, 54453, 54454, 54483} {
		block := proto.NewBlock()
		require.NoError(t, block.Decode(chproto.NewReader(bytes.NewReader(Hello(revision, "tocsin", "26.7.2.1", "UTC"))), revision), revision)
		require.Equal(t, []string{"displayName()", "version()", "revision()", "timezone()"}, block.ColumnsNames())
		require.Equal(t, "26.7.2.1", block.Columns[1].Row(0, false))
		require.Equal(t, uint32(0), block.Columns[2].Row(0, false))
	}
}

func TestBlocksComeBackAsTheyWere(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test
	for _, size := range []int{0, 1, 1000, maxBlock - 1, maxBlock, 3*maxBlock + 7} {
		text := make([]byte, size)
		for i := range text {
			text[i] = byte(random.IntN(4))
		}
		for _, zstd := range []bool{false, true} {
			var b bytes.Buffer
			w := NewWriter(&b, zstd)
			for rest := text; len(rest) > 0; {
				n := min(len(rest), 1+random.IntN(100_000))
				_, err := w.Write(rest[:n])
				require.NoError(t, err)
				rest = rest[n:]
			}
			require.NoError(t, w.Flush())
			whole := b.Bytes()
			got, err := io.ReadAll(NewReader(bytes.NewReader(whole)))
			require.NoError(t, err)
			require.True(t, bytes.Equal(text, got))
			for _, cut := range []int{1, 10, 25, len(whole) / 2, len(whole) - 1} {
				if cut >= len(whole) || cut <= 0 {
					continue
				}
				r := NewReader(bytes.NewReader(whole[:cut]))
				got, err := io.ReadAll(r)
				if err == nil {
					require.Zero(t, len(got)%maxBlock, "only an end between blocks is one")
					continue
				}
				require.False(t, errors.Is(err, io.EOF), err)
				n, again := r.Read(make([]byte, 10))
				require.Zero(t, n)
				require.Equal(t, err, again, "an error stays")
			}
		}
	}
}

func FuzzReaderOfBlocks(f *testing.F) {
	var b bytes.Buffer
	w := NewWriter(&b, false)
	_, _ = w.Write([]byte("some text"))
	_ = w.Flush()
	f.Add(b.Bytes())
	f.Fuzz(func(_ *testing.T, data []byte) {
		if len(data) >= 25 && (data[24] > 1 || data[20] > 1) {
			return // sizes beyond what a test wants to allocate
		}
		_, _ = io.Copy(io.Discard, NewReader(bytes.NewReader(data)))
	})
}

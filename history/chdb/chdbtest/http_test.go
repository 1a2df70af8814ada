package chdbtest_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/history/chdb"
	"github.com/tocsin-noc/tocsin/history/chdb/chdbtest"
)

// reply is what is looked at of a response.
type reply struct {
	StatusCode int
	Header     http.Header
}

// send sends a request as the writer, unless change says otherwise.
func send(t *testing.T, e *chdb.Engine, method, query string, body io.Reader, change func(*http.Request)) (reply, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, e.URL()+"/?"+query, body)
	require.NoError(t, err)
	req.SetBasicAuth(e.Writer().User, e.Writer().Password)
	if change != nil {
		change(req)
	}
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	defer client.CloseIdleConnections()
	res, err := client.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return reply{res.StatusCode, res.Header}, string(text)
}

func TestWhoeverKnowsNoCredentialGetsNothing(t *testing.T) {
	e := chdbtest.Start(t)
	w := e.Writer()
	ask := "query=" + url.QueryEscape("SELECT 7")
	for name, one := range map[string]struct {
		query  string
		change func(*http.Request)
		well   bool
	}{
		"nobody":       {ask, func(r *http.Request) { r.Header.Del("Authorization") }, false},
		"default":      {ask, func(r *http.Request) { r.SetBasicAuth("default", "") }, false},
		"no password":  {ask, func(r *http.Request) { r.SetBasicAuth(w.User, "") }, false},
		"wrong":        {ask, func(r *http.Request) { r.SetBasicAuth(w.User, w.Password+"x") }, false},
		"another's":    {ask, func(r *http.Request) { r.SetBasicAuth(e.Reader().User, w.Password) }, false},
		"wrong header": {ask, func(r *http.Request) { r.Header.Del("Authorization"); r.Header.Set("X-ClickHouse-User", w.User) }, false},
		"wrong URL":    {ask + "&user=" + w.User + "&password=x", func(r *http.Request) { r.Header.Del("Authorization") }, false},
		"Basic":        {ask, nil, true},
		"headers": {ask, func(r *http.Request) {
			r.Header.Del("Authorization")
			r.Header.Set("X-ClickHouse-User", w.User)
			r.Header.Set("X-ClickHouse-Key", w.Password)
		}, true},
		"URL":               {ask + "&user=" + w.User + "&password=" + w.Password, func(r *http.Request) { r.Header.Del("Authorization") }, true},
		"the reader, Basic": {ask, func(r *http.Request) { r.SetBasicAuth(e.Reader().User, e.Reader().Password) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			res, text := send(t, e, http.MethodPost, one.query, nil, one.change)
			if one.well {
				require.Equal(t, "7\n", text)
				return
			}
			require.Equal(t, http.StatusForbidden, res.StatusCode)
			require.Equal(t, "516", res.Header.Get("X-ClickHouse-Exception-Code"))
			require.Contains(t, text, "(AUTHENTICATION_FAILED)")
		})
	}
	_, err := chdbtest.Ask(t.Context(), e, e.Reader(), "SELECT 1")
	require.NoError(t, err)
}

func TestTheFrontSpeaksAsAServerDoes(t *testing.T) {
	e := chdbtest.Start(t)
	res, text := send(t, e, http.MethodGet, "", nil, func(r *http.Request) { r.URL.Path, r.URL.RawQuery = "/ping", ""; r.Header.Del("Authorization") })
	require.Equal(t, "Ok.\n", text)
	require.Equal(t, http.StatusOK, res.StatusCode)

	res, text = send(t, e, http.MethodPost, "default_format=JSONCompact&query_id=mine.1&max_threads=2", strings.NewReader("SELECT number FROM numbers(3)"), nil)
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, "JSONCompact", res.Header.Get("X-ClickHouse-Format"))
	require.Equal(t, "application/json; charset=UTF-8", res.Header.Get("Content-Type"))
	require.Equal(t, "mine.1", res.Header.Get("X-ClickHouse-Query-Id"))
	require.NotEmpty(t, res.Header.Get("X-ClickHouse-Timezone"))
	require.Contains(t, res.Header.Get("X-ClickHouse-Summary"), `"read_rows":"3"`)
	require.Contains(t, text, `"rows": 3`)

	for query, want := range map[string]string{
		"query=SELECT+1&database=none":           "404 81 (UNKNOWN_DATABASE)",
		"query=SELECT+x":                         "400 47 (UNKNOWN_IDENTIFIER)",
		"query=SELEC+1":                          "400 62 (SYNTAX_ERROR)",
		"query=SELECT+1;SELECT+2":                "400 62 (SYNTAX_ERROR)",
		"query=":                                 "400 62 (SYNTAX_ERROR)",
		"query=SELECT+*+FROM+none":               "404 60 (UNKNOWN_TABLE)",
		"query=SELECT+1&session_id=x":            "501 48 (NOT_IMPLEMENTED)",
		"query=SELECT+1&no_such_setting=1":       "400 115 (UNKNOWN_SETTING)",
		"query=SELECT+1&default_format=Nonsense": "400 73 (UNKNOWN_FORMAT)",
		"query=SELECT+%7Bx:UInt8%7D":             "400 456 (UNKNOWN_QUERY_PARAMETER)",
		"query=SELECT+%7Bx:UInt8%7D&param_x=y":   "400 457 (BAD_QUERY_PARAMETER)",
		"query=SELECT+sleepEachRow(0.3)+FROM+numbers(20)&max_block_size=1&max_execution_time=1": "408 159 (TIMEOUT_EXCEEDED)",
		"query=SELECT+throwIf(1)": "500 395 (FUNCTION_THROW_IF_VALUE_IS_NON_ZERO)",
	} {
		res, text := send(t, e, http.MethodPost, query, nil, nil)
		parts := strings.SplitN(want, " ", 3)
		require.Equal(t, parts[1], res.Header.Get("X-ClickHouse-Exception-Code"), "%s: %s", query, text)
		require.Contains(t, text, parts[2], query)
		require.Contains(t, text, "(version 26.")
		require.Equal(t, parts[0], strconv.Itoa(res.StatusCode), query)
	}
	res, text = send(t, e, http.MethodGet, "query="+url.QueryEscape("CREATE DATABASE by_get"), nil, nil)
	require.Equal(t, "164", res.Header.Get("X-ClickHouse-Exception-Code"), text)
	res, _ = send(t, e, http.MethodPut, "query=SELECT+1", nil, nil)
	require.Equal(t, http.StatusMethodNotAllowed, res.StatusCode)
	res, _ = send(t, e, http.MethodPost, "query=SELECT+1", nil, func(r *http.Request) { r.URL.Path = "/play" })
	require.Equal(t, http.StatusNotFound, res.StatusCode)
}

func TestTheReaderSetsNoLimitAboveHis(t *testing.T) {
	e := chdbtest.Start(t)
	as := func(r *http.Request) { r.SetBasicAuth(e.Reader().User, e.Reader().Password) }
	show := "query=" + url.QueryEscape("SELECT 1")
	for query, code := range map[string]string{
		"&max_execution_time=5": "", "&max_execution_time=100000": "", "&readonly=0": "", "&output_format_json_quote_64bit_integers=1": "", "&session_timezone=Europe/Vienna": "",
		"&max_execution_time=x": "36", "&max_memory_limit=1": "164", "&allow_experimental_analyzer=1": "164", "&format_schema=x": "164", "&input_format_parallel_parsing=0": "164",
		"&database=system": "497", "&default_format=Template": "497", "&session_id=1": "48",
	} {
		res, text := send(t, e, http.MethodPost, show+query, nil, as)
		require.Equal(t, code, res.Header.Get("X-ClickHouse-Exception-Code"), "%s: %s", query, text)
	}
	chdbtest.Exec(t, e, "CREATE DATABASE IF NOT EXISTS other", "CREATE TABLE IF NOT EXISTS other.t (x UInt8) ENGINE = Memory")
	for name, code := range map[string]string{"t": "", "processes": "497"} {
		database := map[string]string{"t": "other", "processes": "system"}[name]
		q := url.Values{"query": {"SELECT count() FROM {d:Identifier}.{t:Identifier}"}, "param_d": {database}, "param_t": {name}}
		res, text := send(t, e, http.MethodPost, q.Encode(), nil, as)
		require.Equal(t, code, res.Header.Get("X-ClickHouse-Exception-Code"), text)
	}
	q := url.Values{"query": {"SELECT {p:String}"}, "param_p": {"' || file('/etc/passwd') || '"}}
	_, text := send(t, e, http.MethodPost, q.Encode(), nil, as)
	require.Equal(t, "\\' || file(\\'/etc/passwd\\') || \\'\n", text)
	_, text = send(t, e, http.MethodGet, "query="+url.QueryEscape("SELECT 7"), strings.NewReader(""), as)
	require.Equal(t, "7\n", text)
}

func TestBodiesAreCompressedBothWays(t *testing.T) {
	e, database := chdbtest.Database(t)
	chdbtest.Exec(t, e, "CREATE TABLE "+database+".t (x UInt64, s String) ENGINE = MergeTree ORDER BY x")
	var rows strings.Builder
	const n = 50_000
	for i := range n {
		fmt.Fprintf(&rows, "%d\ttext %d\n", i, i)
	}
	insert := "database=" + database + "&query=" + url.QueryEscape("INSERT INTO t FORMAT TSV")
	sum := "SELECT count(), sum(x) FROM t"
	want := fmt.Sprintf("%d\t%d\n", n, n*(n-1)/2)
	encode := map[string]func(io.Writer) io.WriteCloser{
		"gzip": func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }, "deflate": func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) },
		"lz4":  func(w io.Writer) io.WriteCloser { return lz4.NewWriter(w) },
		"zstd": func(w io.Writer) io.WriteCloser { z, err := zstd.NewWriter(w); require.NoError(t, err); return z },
	}
	decode := map[string]func(io.Reader) (io.Reader, error){
		"gzip": func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }, "deflate": func(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) },
		"lz4": func(r io.Reader) (io.Reader, error) { return lz4.NewReader(r), nil }, "zstd": func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r) },
	}
	for name := range encode {
		t.Run(name, func(t *testing.T) {
			chdbtest.Exec(t, e, "TRUNCATE TABLE "+database+".t")
			var b bytes.Buffer
			z := encode[name](&b)
			_, err := io.WriteString(z, rows.String())
			require.NoError(t, err)
			require.NoError(t, z.Close())
			body := b.Bytes()
			res, text := send(t, e, http.MethodPost, insert, bytes.NewReader(body), func(r *http.Request) { r.Header.Set("Content-Encoding", name) })
			require.Equal(t, http.StatusOK, res.StatusCode, text)
			res, text = send(t, e, http.MethodPost, "enable_http_compression=1&database="+database, strings.NewReader("SELECT * FROM t ORDER BY x"), func(r *http.Request) { r.Header.Set("Accept-Encoding", name) })
			require.Equal(t, name, res.Header.Get("Content-Encoding"))
			plain, err := decode[name](strings.NewReader(text))
			require.NoError(t, err)
			got, err := io.ReadAll(plain)
			require.NoError(t, err)
			require.Equal(t, rows.String(), string(got))

			res, text = send(t, e, http.MethodPost, insert, bytes.NewReader(body[:len(body)*9/10]), func(r *http.Request) { r.Header.Set("Content-Encoding", name) })
			require.NotEqual(t, http.StatusOK, res.StatusCode, "a part of a compressed body: %s", text)
		})
	}
	t.Run("ClickHouse's blocks", func(t *testing.T) {
		chdbtest.Exec(t, e, "TRUNCATE TABLE "+database+".t")
		w := compress.NewWriter(compress.LevelZero, compress.LZ4)
		require.NoError(t, w.Compress([]byte(rows.String())))
		res, text := send(t, e, http.MethodPost, insert+"&decompress=1", bytes.NewReader(w.Data), nil)
		require.Equal(t, http.StatusOK, res.StatusCode, text)
		_, text = send(t, e, http.MethodPost, "compress=1&database="+database, strings.NewReader(sum), nil)
		got := make([]byte, len(want))
		_, err := io.ReadFull(compress.NewReader(strings.NewReader(text)), got)
		require.NoError(t, err)
		require.Equal(t, want, string(got))
		res, _ = send(t, e, http.MethodPost, insert+"&decompress=1", bytes.NewReader(w.Data[:len(w.Data)-5]), nil)
		require.Equal(t, "33", res.Header.Get("X-ClickHouse-Exception-Code"))
		w.Data[100] ^= 1
		res, _ = send(t, e, http.MethodPost, insert+"&decompress=1", bytes.NewReader(w.Data), nil)
		require.Equal(t, "33", res.Header.Get("X-ClickHouse-Exception-Code"))
		text, err = chdbtest.Ask(t.Context(), e, e.Writer(), "SELECT count(), sum(x) FROM "+database+".t")
		require.NoError(t, err)
		require.Equal(t, want, text)
	})
	res, _ := send(t, e, http.MethodPost, insert, strings.NewReader("x"), func(r *http.Request) { r.Header.Set("Content-Encoding", "br") })
	require.Equal(t, http.StatusNotImplemented, res.StatusCode)
}

func TestAnInsertThatIsCutOffIsNotAcknowledged(t *testing.T) {
	e, database := chdbtest.Database(t)
	chdbtest.Exec(t, e, "CREATE TABLE "+database+".t (x UInt64) ENGINE = MergeTree ORDER BY x")
	c, err := net.Dial("tcp", e.Addr()) //nolint:noctx // a test
	require.NoError(t, err)
	query := "query=" + url.QueryEscape("INSERT INTO "+database+".t FORMAT TSV") + "&user=" + e.Writer().User + "&password=" + e.Writer().Password
	fmt.Fprintf(c, "POST /?%s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n1\n2\n\r\n", query)
	require.NoError(t, c.(*net.TCPConn).CloseWrite())
	answer, err := io.ReadAll(c)
	require.NoError(t, err)
	require.NoError(t, c.Close())
	require.NotContains(t, string(answer), "200 OK")
	text, err := chdbtest.Ask(t.Context(), e, e.Writer(), "SELECT count() FROM "+database+".t")
	require.NoError(t, err)
	require.Equal(t, "0\n", text)

	for body, want := range map[string]string{"1\n2\n": "2", "VALUES (3)": "27"} {
		res, _ := send(t, e, http.MethodPost, "query="+url.QueryEscape("INSERT INTO "+database+".t FORMAT TSV"), strings.NewReader(body), nil)
		if want == "2" {
			require.Contains(t, res.Header.Get("X-ClickHouse-Summary"), `"written_rows":"2"`)
		} else {
			require.Equal(t, want, res.Header.Get("X-ClickHouse-Exception-Code"))
		}
	}
	for _, whole := range []string{"INSERT INTO t VALUES (10), (11)", "INSERT INTO t (x) FORMAT JSONEachRow\n{\"x\": 12}\n", "INSERT INTO t SELECT 13", "/* c */ INSERT INTO t FORMAT CSV 14\n"} {
		res, text := send(t, e, http.MethodPost, "database="+database, strings.NewReader(whole), nil)
		require.Equal(t, http.StatusOK, res.StatusCode, "%s: %s", whole, text)
	}
	text, err = chdbtest.Ask(t.Context(), e, e.Writer(), "SELECT arraySort(groupArray(x)) FROM "+database+".t")
	require.NoError(t, err)
	require.Equal(t, "[1,2,10,11,12,13,14]\n", text)
}

func TestAFailureBehindTheHeadIsSaidInsideTheResult(t *testing.T) {
	e := chdbtest.Start(t)
	fails := "SELECT number, throwIf(number = 3000000) FROM numbers(4000000) SETTINGS max_block_size = 10000"
	res, text := send(t, e, http.MethodPost, "", strings.NewReader(fails), nil)
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Contains(t, text, "\r\n__exception__\r\n"+res.Header.Get("X-ClickHouse-Exception-Tag")+"\r\nCode: 395. DB::Exception")
	require.True(t, strings.HasSuffix(text, "\r\n__exception__\r\n"))

	for _, method := range []clickhouse.CompressionMethod{clickhouse.CompressionNone, clickhouse.CompressionLZ4} {
		c := open(t, e, e.Writer(), "default", func(o *clickhouse.Options) { o.Compression = &clickhouse.Compression{Method: method} })
		rows, err := c.Query(t.Context(), fails)
		require.NoError(t, err)
		for rows.Next() {
		}
		exception := (*clickhouse.Exception)(nil)
		require.ErrorAs(t, rows.Err(), &exception)
		require.EqualValues(t, 395, exception.Code)
	}
}

func TestAQueryWhoseClientIsGoneEnds(t *testing.T) {
	e := chdbtest.Start(t)
	for _, query := range []string{"SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))", "SELECT number FROM numbers(1000000000000)"} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		_, err := chdbtest.Ask(ctx, e, e.Writer(), query)
		cancel()
		require.Error(t, err)
	}
	require.Eventually(t, func() bool {
		text, err := chdbtest.Ask(t.Context(), e, e.Writer(), "SELECT count() FROM system.processes")
		return err == nil && text == "1\n"
	}, 20*time.Second, 100*time.Millisecond)
}

func TestManyQueriesAtOnceWaitForTheirTurn(t *testing.T) {
	e := chdbtest.Start(t)
	var all sync.WaitGroup
	var well, refused atomic.Int64
	for range 100 {
		all.Go(func() {
			_, err := chdbtest.Ask(t.Context(), e, e.Reader(), "SELECT count() FROM numbers(10000000)")
			switch {
			case err == nil:
				well.Add(1)
			case strings.Contains(err.Error(), "TOO_MANY_SIMULTANEOUS_QUERIES") && strings.Contains(err.Error(), "503"):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	require.GreaterOrEqual(t, well.Load(), int64(60))
	t.Logf("%d answered, %d refused", well.Load(), refused.Load())
}

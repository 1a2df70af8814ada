package chdbtest_test

import (
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/history/chdb/chdbtest"
)

func TestParametersOfEveryTypeArrive(t *testing.T) {
	e := chdbtest.Start(t)
	at := time.Date(2026, 11, 21, 12, 30, 15, 123e6, time.UTC)
	id := uuid.MustParse("6f6f9b3c-5a3e-4b62-8b0a-0c1c51a3b3a1")
	for _, who := range []string{"writer", "reader"} {
		credentials := e.Writer()
		if who == "reader" {
			credentials = e.Reader()
		}
		c := open(t, e, credentials, "default", nil)
		for _, one := range []struct {
			kind  string
			value any
			want  string
		}{
			{"String", "it's\ta \\ \"text\"\n€", "it's\ta \\ \"text\"\n€"},
			{"String", "", ""},
			{"String", "' OR 1 = 1 --", "' OR 1 = 1 --"},
			{"UInt64", uint64(1<<64 - 1), "18446744073709551615"},
			{"Int8", int8(-128), "-128"},
			{"Float64", 0.25, "0.25"},
			{"Bool", true, "true"},
			{"Date", "2026-11-21", "2026-11-21"},
			{"DateTime64(3, 'UTC')", clickhouse.DateNamed("x", at, clickhouse.MilliSeconds), "2026-11-21 12:30:15.123"},
			{"DateTime('UTC')", clickhouse.DateNamed("x", at, clickhouse.Seconds), "2026-11-21 12:30:15"},
			{"Array(String)", []string{"a", "b'c"}, "['a','b\\'c']"},
			{"Array(UInt64)", []uint64{1, 2}, "[1,2]"},
			{"Map(String, UInt64)", map[string]uint64{"a": 1}, "{'a':1}"},
			{"Nullable(String)", nil, ""},
			{"UUID", id, id.String()},
			{"LowCardinality(String)", "x", "x"},
			{"Enum8('a' = 1)", "a", "a"},
			{"Decimal(18, 4)", "1.5", "1.5"},
			{"IPv4", "10.0.0.1", "10.0.0.1"},
		} {
			arg := one.value
			switch v := one.value.(type) {
			case string, uint64, int8, float64, bool, []string, []uint64, map[string]uint64, nil, uuid.UUID:
				arg = clickhouse.Named("x", v)
			}
			var got string
			err := c.QueryRow(t.Context(), "SELECT ifNull(toString({x:"+one.kind+"}), '')", arg).Scan(&got)
			require.NoError(t, err, "%s %s", who, one.kind)
			require.Equal(t, one.want, got, "%s %s", who, one.kind)
		}
	}
}

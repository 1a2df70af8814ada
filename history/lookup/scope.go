package lookup

import (
	"strconv"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/history"
	"github.com/tocsin-noc/tocsin/history/clickhouse"
)

// params are named parameters under way.
type params map[string]string

// scoped begins with the tenant that may be seen; of all of them where it is event.AllTenants.
func scoped(tenant string) params {
	p := params{"tenant": clickhouse.Text(tenant), "all": "0"}
	if tenant == event.AllTenants {
		p["all"] = "1"
	}
	return p
}

func (p params) text(name, value string) params {
	p[name] = clickhouse.Text(value)
	return p
}

func (p params) time(name string, at time.Time) params {
	p[name] = clickhouse.Time(at)
	return p
}

func (p params) number(name string, n uint64) params {
	p[name] = strconv.FormatUint(n, 10)
	return p
}

// row reads the columns of a table's row by name.
type row struct {
	t *history.Table
	n int
}

func (r row) value(column string) any {
	if at := r.t.Index(column); at >= 0 {
		return r.t.Rows[r.n][at]
	}
	return nil
}

func (r row) text(column string) string {
	s, _ := r.value(column).(string)
	return s
}

func (r row) flag(column string) bool {
	switch v := r.value(column).(type) {
	case bool:
		return v
	case uint8:
		return v != 0
	}
	return false
}

func (r row) number(column string) uint64 {
	switch v := r.value(column).(type) {
	case uint64:
		return v
	case uint32:
		return uint64(v)
	case uint16:
		return uint64(v)
	case uint8:
		return uint64(v)
	}
	return 0
}

// at is nil for NULL.
func (r row) at(column string) *time.Time {
	if t, ok := r.value(column).(time.Time); ok {
		return &t
	}
	return nil
}

func (r row) list(column string) []string {
	list, _ := r.value(column).([]string)
	return list
}

func (r row) labels(column string) map[string]string {
	m, _ := r.value(column).(map[string]string)
	return m
}

// rows returns the rows of a table.
func rows(t *history.Table) []row {
	list := make([]row, len(t.Rows))
	for n := range list {
		list[n] = row{t, n}
	}
	return list
}

// texts writes a list as a parameter of type Array(String).
func texts(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`, "\n", `\n`, "\t", `\t`, "\r", `\r`).Replace(s) + "'"
	}
	return "[" + strings.Join(quoted, ",") + "]"
}

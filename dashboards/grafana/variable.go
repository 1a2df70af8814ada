package grafana

import "maps"

// Names of the variables that hold the data sources: who looks at a board chooses them, and no board knows an address.
const (
	clickhouse = "clickhouse"
	prometheus = "prometheus"
)

// Types of data source.
const (
	clickhousePlugin = "grafana-clickhouse-datasource"
	prometheusPlugin = "prometheus"
)

// Variable is something that the reader of a board chooses at its top.
type Variable struct {
	Name, Label, Description string

	Plugin  string   // a data source of this type
	Query   string   // values that the data source gives, several of which may be chosen
	Source  string   // the variable that holds the data source of Query
	Values  []string // values to choose from
	Several bool     // of Values; all at first
	Text    bool     // any text
	Default string   // of Text, and of Values of which one is chosen
}

func tenantVariable() Variable {
	return Variable{Name: "tenant", Label: "Tenant", Source: clickhouse, Query: "SELECT DISTINCT tenant FROM incidents ORDER BY tenant"}
}

func serviceVariable() Variable {
	return Variable{
		Name: "service", Label: "Service", Description: "Incidents that hurt one of these services", Source: clickhouse,
		Query: "SELECT DISTINCT arrayJoin(services) AS service FROM incidents ORDER BY service",
	}
}

func teamVariable() Variable {
	return Variable{
		Name: "team", Label: "Team", Description: "Incidents that one of these teams has now, or had last", Source: clickhouse,
		Query: "SELECT DISTINCT team FROM incidents WHERE team != '' ORDER BY team",
	}
}

func priorityVariable() Variable {
	return Variable{Name: "priority", Label: "Priority", Values: []string{"1", "2", "3", "4", "5"}, Several: true}
}

func bucketVariable(first string) Variable {
	return Variable{Name: "bucket", Label: "By", Description: "What a point or bar of a trend stands for", Values: []string{"day", "week", "month"}, Default: first}
}

func zoneVariable() Variable {
	return Variable{Name: "zone", Label: "Zone", Description: "Where days and weeks begin: a name as in Europe/Berlin", Text: true, Default: "UTC"}
}

// source is how panels and variables name a data source.
func source(variable string) object {
	plugin := clickhousePlugin
	if variable == prometheus {
		plugin = prometheusPlugin
	}
	return object{"type": plugin, "uid": "${" + variable + "}"}
}

// allOf is the choice of everything.
func allOf() object {
	return object{"text": []string{"All"}, "value": []string{"$__all"}, "selected": true}
}

// object returns the variable as Grafana reads it.
func (v *Variable) object() object {
	o := object{"name": v.Name, "label": v.Label, "description": v.Description, "hide": 0, "skipUrlSync": false}
	add := func(more object) object {
		maps.Copy(o, more)
		return o
	}
	switch {
	case v.Plugin != "":
		return add(object{"type": "datasource", "query": v.Plugin, "regex": "", "multi": false, "includeAll": false, "refresh": 1, "options": []object{}, "current": object{}})
	case v.Query != "":
		return add(object{
			"type": "query", "datasource": source(v.Source), "query": v.Query, "definition": v.Query, "regex": "", "refresh": 1, "sort": 0,
			"multi": true, "includeAll": true, "options": []object{}, "current": allOf(),
		})
	case v.Text:
		return add(object{"type": "textbox", "query": v.Default, "current": object{"text": v.Default, "value": v.Default}, "options": []object{}})
	}
	var options []object
	query := ""
	if v.Several {
		options = append(options, object{"text": "All", "value": "$__all", "selected": true})
	}
	for _, value := range v.Values {
		if query != "" {
			query += ","
		}
		query += value
		options = append(options, object{"text": value, "value": value, "selected": value == v.Default})
	}
	current := object{"text": v.Default, "value": v.Default, "selected": true}
	if v.Several {
		current = allOf()
	}
	return add(object{"type": "custom", "query": query, "options": options, "multi": v.Several, "includeAll": v.Several, "current": current})
}

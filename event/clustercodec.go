package event

// What follows came with version 4 of the changes' format.

func codePlacement(c *coder, p *Placement) {
	number(c, &p.Kind)
	number(c, &p.Cluster)
	number(c, &p.Item)
	c.bool(&p.Silent)
	number(c, &p.Component)
	c.time(&p.At)
	number(c, &p.From)
	c.string(&p.FromID)
	number(c, &p.FromIn)
	number(c, &p.Hops)
	c.time(&p.Gap)
	codeScore(c, &p.Edge)
	number(c, &p.NearIn)
	c.time(&p.NearGap)
	codeScore(c, &p.Near)
	c.int(&p.Needed)
	number(c, &p.Alpha)
	number(c, &p.Credit)
	number(c, &p.Expected)
	number(c, &p.Passed)
	number(c, &p.Dependents)
	number(c, &p.Roots)
	number(c, &p.Alerts)
	number(c, &p.Items)
}

// codeScore codes a score, most of which are small; NoScore keeps a code of its own.
func codeScore(c *coder, score *int64) {
	has := *score != NoScore
	c.bool(&has)
	if has {
		c.int(score)
	} else {
		*score = NoScore
	}
}

func codeCauses(c *coder, s *Causes) {
	number(c, &s.Incident)
	number(c, &s.Cluster)
	list(c, &s.Candidates, codeCause)
	c.int(&s.Margin)
	c.bool(&s.Confident)
	number(c, &s.Learned)
	number(c, &s.Looked)
	number(c, &s.Of)
	number(c, &s.Verdict)
	c.string(&s.VerdictOn)
	c.string(&s.VerdictBy)
	c.time(&s.VerdictAt)
}

func codeCause(c *coder, x *Cause) {
	c.string(&x.CI)
	c.int(&x.Score)
	number(c, &x.Share)
	codeLedger(c, &x.Ledger)
	list(c, &x.Signs, codeSign)
}

func codeSign(c *coder, v *uint64) { c.fixed64(v) }

// PackCauses and UnpackCauses code what is known of an incident's cause for memory.
func PackCauses(dst []byte, s *Causes) []byte {
	c := coder{buf: append(dst, changeVersion), version: changeVersion}
	codeCauses(&c, s)
	return c.buf
}

// UnpackCauses is the inverse of PackCauses; what it returns aliases b.
func UnpackCauses(b []byte) (s Causes, err error) {
	c, err := openRecord(b, changeVersion)
	if err != nil {
		return s, err
	}
	codeCauses(&c, &s)
	return s, c.err
}

func codeBounds(c *coder, b *Bounds) {
	packed := b.Pack()
	number(c, &packed)
	*b = UnpackBounds(packed)
}

func codeTrace(c *coder, t *Trace) {
	number(c, &t.Kind)
	c.string(&t.Tenant)
	c.string(&t.Rule)
	c.bool(&t.Second)
	c.string(&t.Key)
	number(c, &t.Alert)
	c.time(&t.At)
	c.time(&t.Due)
}

// Package cause ranks the configuration items of a cluster by how surprising it is what they say: what an item says now that it, and its
// like, did not say in earlier clusters. What is ordinary is learned from every cluster that is over; nobody has to label anything.
//
// All arithmetic is in integers, scores are in milli-nats, and the state follows from the calls alone.
package cause

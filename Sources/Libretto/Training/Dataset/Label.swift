/// The label of what is added: its number and its name; 0 and nil for none.
struct Label {
  var number: Int32 = 0
  var name: String?
}

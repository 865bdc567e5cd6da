import Libretto

/// Says what a person should know of files that are learned from all the same: once for all files of
/// which the same is to be said.
func showRemarks(_ remarks: [MaterialRemark]) {
  var shown: [String] = []
  for remark in remarks where !shown.contains(remark.reason) {
    shown.append(remark.reason)
    let others = Set(remarks.filter { $0.reason == remark.reason }.map(\.file)).count - 1
    let files =
      switch others {
      case 0: remark.file
      case 1: "\(remark.file) and 1 other file"
      default: "\(remark.file) and \(grouped(others)) other files"
      }
    printError("libretto: \(files): \(remark.reason)")
  }
}

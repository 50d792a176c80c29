/// A file that has room on the disk and says nothing: given up in two halves when the disk is full, so that what became of
/// writes can be written down, without which no segment could ever go; made anew when there is room.
///
/// The first half is for all essential records, the second for those only that let the oldest segment go, and for
/// outcomes, without which an acknowledged write would become uncertain. Whoever else writes on the disk may be faster: it
/// is meant for a disk that the spool itself has filled.
struct SpoolReserve {
    let files: any SpoolFiles
    private let file: Int32
    /// Bytes that it is to have. 0: there is none.
    let wanted: Int
    private(set) var held: Int
    /// The file system cannot set room aside, or not here: it goes on without.
    private(set) var isImpossible = false

    /// - Parameter wanted: bytes, 0 for none.
    static func open(_ path: String, wanted: Int, _ files: any SpoolFiles) throws(SystemFailure) -> SpoolReserve {
        if wanted == 0 {
            do throws(SystemFailure) {
                try files.remove(path)
            } catch {
                if !error.isAbsent { throw error }
            }
            return SpoolReserve(files: files, file: -1, wanted: 0, held: 0)
        }
        let file = try files.open(path, .writingOrCreating)
        do throws(SystemFailure) {
            var held = try files.size(file)
            if held > wanted {
                try files.truncate(file, to: wanted)
                held = wanted
            }
            return SpoolReserve(files: files, file: file, wanted: wanted, held: held)
        } catch {
            files.close(file)
            throw error
        }
    }

    private init(files: any SpoolFiles, file: Int32, wanted: Int, held: Int) {
        self.files = files
        self.file = file
        self.wanted = wanted
        self.held = held
    }

    private var half: Int { wanted / 2 }
    var isWhole: Bool { held >= wanted || isImpossible }
    /// Only what lets the oldest segment go is to be written.
    var isGone: Bool { held < half && !isImpossible }

    /// Gives one half up, so that there is room for essential records.
    /// - Parameter entirely: the second half, too, if the first one has gone.
    /// - Returns: whether there is any more room by that.
    mutating func giveUp(entirely: Bool) -> Bool {
        let rest = held > half ? half : 0
        guard held > rest, rest > 0 || entirely, (try? files.truncate(file, to: rest)) != nil else { return false }
        held = rest
        return true
    }

    /// Takes back what there is room for, half by half.
    /// - Parameter free: bytes on the disk.
    /// - Returns: why there cannot be one, once.
    mutating func restore(free: Int) -> SystemFailure? {
        guard !isImpossible else { return nil }
        var free = free
        for size in [half, wanted] where held < size {
            let more = size - held
            guard free >= more else { return nil }
            do throws(SystemFailure) {
                try files.allocate(file, to: size)
            } catch {
                // A lack of room passes; anything else must not refuse intents for ever.
                isImpossible = !error.isNoSpace
                return isImpossible ? error : nil
            }
            free -= more
            held = size
        }
        return nil
    }

    func close() { if wanted > 0 { files.close(file) } }
}

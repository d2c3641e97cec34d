namespace ResearchKit.Kernel.Commands.Running;

/// <summary>Makes sure that a place can be written to before work of hours begins; leaves nothing behind.</summary>
internal static class WritablePlace
{
    /// <param name="folder">The folder; it need not exist yet.</param>
    /// <param name="what">How the command line calls it.</param>
    /// <exception cref="ArgumentException">Nothing can be written there.</exception>
    public static void RequireFolder(string folder, string what)
    {
        var existing = Path.GetFullPath(folder);
        while (!Path.Exists(existing)) existing = Path.GetDirectoryName(existing)!;
        if (File.Exists(existing)) throw new ArgumentException($"{what}: expected a folder at {existing}, found a file.");
        var probe = Path.Combine(existing, $".{Guid.NewGuid():N}.tmp");
        try
        {
            using var file = new FileStream(
                probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new ArgumentException($"{what}: the folder {existing} cannot be written to; expected one that can.", refused);
        }
    }

    /// <param name="file">The file; it is replaced later, by one beside it.</param>
    /// <param name="what">How the command line calls it.</param>
    /// <exception cref="ArgumentException">It cannot be written.</exception>
    public static void RequireFile(string file, string what)
    {
        var full = Path.GetFullPath(file);
        if (Directory.Exists(full)) throw new ArgumentException($"{what}: expected a file, found a folder.");
        if (File.Exists(full) && new FileInfo(full).IsReadOnly)
            throw new ArgumentException($"{what}: the file is read-only; expected one that can be written.");
        RequireFolder(Path.GetDirectoryName(full)!, what);
    }
}

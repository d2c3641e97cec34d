namespace ResearchKit.Kernel.Commands.Running;

/// <summary>Checks that an output path is writable before a long run starts. Leaves no files behind.</summary>
internal static class WritablePlace
{
    /// <param name="folder">The folder; it need not exist yet.</param>
    /// <param name="what">What error messages call the folder.</param>
    /// <exception cref="ArgumentException">The folder is not writable.</exception>
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
            throw new ArgumentException($"{what}: the folder {existing} is not writable; "
                + "expected a writable one.", refused);
        }
    }

    /// <param name="file">The file; its folder must be writable too, for an atomic replacement.</param>
    /// <param name="what">What error messages call the file.</param>
    /// <exception cref="ArgumentException">The file is not writable.</exception>
    public static void RequireFile(string file, string what)
    {
        var full = Path.GetFullPath(file);
        if (Directory.Exists(full)) throw new ArgumentException($"{what}: expected a file, found a folder.");
        if (File.Exists(full) && new FileInfo(full).IsReadOnly)
            throw new ArgumentException($"{what}: the file is read-only; expected a writable one.");
        RequireFolder(Path.GetDirectoryName(full)!, what);
    }
}

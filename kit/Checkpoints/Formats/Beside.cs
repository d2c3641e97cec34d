namespace ResearchKit.Checkpoints;

/// <summary>
/// Writes a file or a folder beside its place and then moves it there: the place holds what it held, or all of the new.
/// </summary>
internal static class Beside
{
    /// <summary>How the names of what is not whole yet end; a killed process may leave such.</summary>
    public const string Ending = ".tmp";

    /// <param name="place">The file, which is replaced, or the folder, which is removed just before.</param>
    /// <param name="write">Makes the file or the folder at the path it is given. Where it throws, nothing stays of it.</param>
    public static void Write(string place, Action<string> write)
    {
        var beside = $"{place}.{Guid.NewGuid():N}{Ending}";
        try
        {
            write(beside);
            if (!Directory.Exists(beside))
            {
                File.Move(beside, place, overwrite: true);
                return;
            }
            if (Directory.Exists(place)) Directory.Delete(place, recursive: true);
            Directory.Move(beside, place);
        }
        finally
        {
            if (Directory.Exists(beside)) Directory.Delete(beside, recursive: true);
            else File.Delete(beside);
        }
    }
}

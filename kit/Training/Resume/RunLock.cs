namespace ResearchKit.Training;

/// <summary>
/// A lock file that prevents two runs from writing to the same place; it disappears when the run ends, however
/// it ends.
/// </summary>
internal static class RunLock
{
    // EWOULDBLOCK, ERROR_SHARING_VIOLATION
    private const int WouldBlock = 11, WouldBlockOnMac = 35, SharingViolation = unchecked((int)0x80070020);

    /// <summary>Acquires the lock until the returned object is disposed.</summary>
    /// <param name="path">Path of the lock file.</param>
    /// <param name="taken">Error message if another run holds the lock.</param>
    /// <exception cref="IOException">
    /// Another run holds the lock, or the folder cannot be written; the message says which.
    /// </exception>
    /// <exception cref="UnauthorizedAccessException">The folder cannot be written.</exception>
    public static IDisposable Take(string path, string taken)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1,
                FileOptions.DeleteOnClose);
        }
        catch (IOException error) when (error.HResult is WouldBlock or WouldBlockOnMac or SharingViolation)
        {
            throw new IOException(taken, error);
        }
    }

    /// <summary>Whether <see cref="Take"/> failed because another run holds the lock.</summary>
    public static bool IsTaken(IOException error) =>
        error.InnerException is IOException { HResult: WouldBlock or WouldBlockOnMac or SharingViolation };
}

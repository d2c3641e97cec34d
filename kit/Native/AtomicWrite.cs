using System.Text;

namespace ResearchKit.Native;

/// <summary>
/// Writes a file or a folder under a temporary name and then renames it. A reader finds the old content or the new one, never
/// half of it.
/// </summary>
/// <remarks>The kernel compiles this file too, so that it can write files without loading the kit.</remarks>
internal static class AtomicWrite
{
    /// <summary>How temporary names end. A killed process can leave such files and folders behind.</summary>
    public const string Ending = ".tmp";

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <summary>Writes a text file in UTF-8 without a byte order mark.</summary>
    /// <param name="path">The file; an existing one is replaced.</param>
    /// <param name="text">The content.</param>
    public static void Text(string path, string text) => To(path, temporary => File.WriteAllText(temporary, text, Utf8));

    /// <summary>Writes a file or a folder.</summary>
    /// <param name="path">
    /// Target path. An existing file is replaced; an existing folder is removed just before the rename.
    /// </param>
    /// <param name="write">
    /// Creates the file or folder at the temporary path that it is given. If it throws, nothing is left of it.
    /// </param>
    public static void To(string path, Action<string> write)
    {
        var full = Path.GetFullPath(path);
        var temporary = Path.Combine(Path.GetDirectoryName(full)!, $".{Path.GetFileName(full)}.{Guid.NewGuid():N}{Ending}");
        try
        {
            write(temporary);
            if (!Directory.Exists(temporary))
            {
                File.Move(temporary, full, overwrite: true);
                return;
            }
            if (Directory.Exists(full)) Directory.Delete(full, recursive: true);
            Directory.Move(temporary, full);
        }
        finally
        {
            if (Directory.Exists(temporary)) Directory.Delete(temporary, recursive: true);
            else File.Delete(temporary);
        }
    }
}

using System.Runtime.InteropServices;
using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Tensors;

/// <summary>
/// The functions of one TorchScript file: Python source beside the C# file that calls it, carried by the assembly.
/// </summary>
/// <remarks>
/// TorchScript reaches operations of libtorch that TorchSharp does not bind, and runs many small ones in one call. A file is read
/// and compiled once, at the first call. A source that does not compile may end the process, so a test compiles all of them. To
/// add one, write <c>Name.py</c> beside <c>Name.cs</c> and hold <c>new TorchScript("Name.py")</c> in a static field. Numbers that
/// vary are arguments of its functions.
/// </remarks>
/// <param name="file">Name of the file, without its folder.</param>
internal sealed class TorchScript(string file)
{
    private readonly Lazy<jit.CompilationUnit> functions = new(() => Compile(file));

    /// <summary>Names of all TorchScript files.</summary>
    public static IEnumerable<string> Files => EmbeddedFile.Names.Where(name => name.EndsWith(".py", StringComparison.Ordinal));

    /// <inheritdoc cref="TorchScriptCall.Call"/>
    public object Call(string function, params object[] arguments) => functions.Value.Call(function, arguments);

    /// <summary>Compiles a file.</summary>
    /// <exception cref="FileNotFoundException">The assembly carries no such file.</exception>
    /// <exception cref="InvalidOperationException">
    /// It does not compile; on some systems libtorch ends the process instead.
    /// </exception>
    public static jit.CompilationUnit Compile(string file)
    {
        var source = EmbeddedFile.Read(file);
        try
        {
            return jit.compile(source);
        }
        catch (ExternalException error)
        {
            throw new InvalidOperationException($"{file} does not compile: {error.Message}", error);
        }
    }
}

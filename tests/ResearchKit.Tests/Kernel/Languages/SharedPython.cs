namespace ResearchKit.Tests.Kernel.Languages;

/// <summary>One Python for all tests of a class, since each takes a second and more to start.</summary>
public sealed class SharedPython : IDisposable
{
    private PythonSession? session;

    internal PythonSession Session => session ??= new PythonSession();   // not in the constructor: there a test cannot be skipped

    public void Dispose() => session?.Dispose();
}

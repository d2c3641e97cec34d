namespace ResearchKit.Kernel.Cells;

/// <summary>For code that may use tensors but need not.</summary>
internal static class OptionalKit
{
    /// <summary>Loads the kit; without libtorch nothing happens, and the first use of a tensor is an error.</summary>
    public static async Task IfPossible(this Func<Task> kit)
    {
        try
        {
            await kit().ConfigureAwait(false);
        }
        catch (DllNotFoundException)
        {
            // said where something needs it
        }
    }
}

using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tensors;

/// <summary>Calls TorchScript functions so that no argument is freed while native code reads it.</summary>
internal static class TorchScriptCall
{
    /// <summary>Calls a function and returns its result: a tensor, or several.</summary>
    /// <remarks>
    /// TorchSharp creates an object for each number (<c>Scalar</c>) and passes its address to native code without
    /// keeping a reference. The garbage collector may free it before the function reads it; the call then fails or
    /// computes with another number.
    /// </remarks>
    /// <param name="script">The compiled script.</param>
    /// <param name="function">Name of the function in the script.</param>
    /// <param name="arguments">Tensors, arrays of tensors, numbers and bools.</param>
    public static object Call(this jit.CompilationUnit script, string function, params object[] arguments)
    {
        var numbers = new List<Scalar>();
        var held = Array.ConvertAll(arguments, argument => argument switch
        {
            double number => Held(number),
            float number => Held(number),
            long number => Held(number),
            _ => argument,
        });
        try
        {
            return script.invoke(function, held);
        }
        finally
        {
            foreach (var number in numbers) number.Dispose();
            GC.KeepAlive(arguments);
        }

        Scalar Held(Scalar number)
        {
            numbers.Add(number);
            return number;
        }
    }
}
